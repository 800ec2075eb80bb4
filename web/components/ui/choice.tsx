interface Props {
  label: string;
  value: string;
  /** Value and word of each. */
  options: readonly (readonly [string, string])[];
  onChoose: (value: string) => void;
  className?: string;
}

/** One of a few words: the browser's own list, which every screen and reader knows. */
export function Choice({ label, value, options, onChoose, className = "" }: Props) {
  return (
    <label className={`block min-w-0 space-y-1 text-xs text-soft ${className}`}>
      <span className="block">{label}</span>
      <select className="field w-full text-ink" value={value} onChange={(event) => onChoose(event.target.value)}>
        {options.map(([name, word]) => <option key={name} value={name}>{word}</option>)}
      </select>
    </label>
  );
}
