/**
 * Many changes, one notice: the next animation frame, or a timer where the tab is hidden and frames
 * stand still. What follows a notice (rendering) may take a quarter of the time at most, so that
 * typing keeps up with an answer of any length.
 */
const REST_RATIO = 3;

export function batched(notice: () => void) {
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let due = false;
  let notBefore = 0;
  const run = () => {
    const start = performance.now();
    if (start < notBefore) {
      frame = requestAnimationFrame(run);
      return;
    }
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    due = false;
    notice();
    // React renders what a store announces in a microtask of its own, queued before this one.
    queueMicrotask(() => {
      const end = performance.now();
      notBefore = end + REST_RATIO * (end - start);
    });
  };
  return {
    later() {
      if (due) return;
      due = true;
      frame = requestAnimationFrame(run);
      timer = setTimeout(run, 250);
    },
    /** Drop a notice that is due: what it would have said is known by other means. */
    cancel() {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      due = false;
    },
  };
}
