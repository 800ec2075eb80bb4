import { useCallback, useEffect, useRef, useState } from "react";

const NEAR_END_PX = 60;

/**
 * Keeps the end of a growing answer in view until the reader scrolls up, and again once they are
 * back at the end or a message was added.
 */
export function useStickToEnd(messageCount: number) {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLElement>(null);
  const sticking = useRef(true);
  const [atEnd, setAtEnd] = useState(true);

  const toEnd = useCallback(() => {
    sticking.current = true;
    setAtEnd(true);
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, []);

  useEffect(() => {
    const outer = scroller.current;
    const inner = content.current;
    if (!outer || !inner) return;
    let top = outer.scrollTop;
    const onScroll = () => {
      const near = outer.scrollHeight - outer.scrollTop - outer.clientHeight < NEAR_END_PX;
      // What was added since the page was last drawn moves the end away; only a reader moves up.
      if (near) sticking.current = true;
      else if (outer.scrollTop < top) sticking.current = false;
      top = outer.scrollTop;
      setAtEnd(sticking.current);
    };
    const sizes = new ResizeObserver(() => {
      if (sticking.current && messageCount > 0) outer.scrollTop = outer.scrollHeight;
      else onScroll();
    });
    outer.addEventListener("scroll", onScroll, { passive: true });
    sizes.observe(inner);
    return () => {
      outer.removeEventListener("scroll", onScroll);
      sizes.disconnect();
    };
  }, [messageCount]);
  // The first screen, which has no messages, is read from its top.
  useEffect(() => {
    if (messageCount > 0) toEnd();
  }, [messageCount, toEnd]);
  return { scroller, content, atEnd, toEnd };
}
