"use client";

import { useState } from "react";

interface Props {
  /** What it does, for those who do not see what it stands beside. */
  label: string;
  word: string;
  /** What it asks at the first press. */
  sure: string;
  onSure: () => void;
  disabled?: boolean;
}

/** A button that asks before it does: the second press counts, leaving it takes the question back. */
export function SureButton({ label, word, sure, onSure, disabled }: Props) {
  const [asked, setAsked] = useState(false);
  return (
    <button
      type="button" className={asked ? "button text-danger" : "button"} aria-label={asked ? `${label}: ${sure}` : label} disabled={disabled}
      onBlur={() => setAsked(false)}
      onClick={() => {
        if (asked) onSure();
        setAsked(!asked);
      }}
    >
      {asked ? sure : word}
    </button>
  );
}
