import type { ReactNode } from "react";

export function Icon({ children, className = "size-4" }: { children: ReactNode; className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      className={className}
    >
      {children}
    </svg>
  );
}

type Props = { className?: string };

export const PlusIcon = (props: Props) => <Icon {...props}><path d="M12 5v14M5 12h14" /></Icon>;
export const MenuIcon = (props: Props) => <Icon {...props}><path d="M4 7h16M4 12h16M4 17h10" /></Icon>;
export const CloseIcon = (props: Props) => <Icon {...props}><path d="M6 6l12 12M18 6L6 18" /></Icon>;
export const CheckIcon = (props: Props) => <Icon {...props}><path d="M5 12.5l4.5 4.5L19 7.5" /></Icon>;
export const ChevronIcon = (props: Props) => <Icon {...props}><path d="M7 10l5 5 5-5" /></Icon>;
export const ArrowUpIcon = (props: Props) => <Icon {...props}><path d="M12 19V5M6 11l6-6 6 6" /></Icon>;
export const ArrowDownIcon = (props: Props) => <Icon {...props}><path d="M12 5v14M6 13l6 6 6-6" /></Icon>;
export const RetryIcon = (props: Props) => <Icon {...props}><path d="M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6" /></Icon>;
export const DownloadIcon = (props: Props) => <Icon {...props}><path d="M12 4v11M7 11l5 5 5-5M5 20h14" /></Icon>;
export const TrashIcon = (props: Props) => <Icon {...props}><path d="M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13" /></Icon>;
export const PencilIcon = (props: Props) => <Icon {...props}><path d="M4 20l1-4L16 5l3 3L8 19zM14 7l3 3" /></Icon>;
export const MoreIcon = (props: Props) => <Icon {...props}><path d="M5 12h.01M12 12h.01M19 12h.01" strokeWidth="2.5" /></Icon>;
export const PinIcon = (props: Props) => <Icon {...props}><path d="M9 4h6l-1 6 3 3H7l3-3zM12 13v7" /></Icon>;
export const SearchIcon = (props: Props) => <Icon {...props}><path d="M16 16l4 4M18 11a7 7 0 1 1-14 0 7 7 0 0 1 14 0z" /></Icon>;
export const AlertIcon = (props: Props) => <Icon {...props}><path d="M12 4L2.8 20h18.4zM12 10v4.5M12 17.4v.1" /></Icon>;
export const PlugIcon = (props: Props) => <Icon {...props}><path d="M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4" /></Icon>;
export const BlocksIcon = (props: Props) => (
  <Icon {...props}><path d="M4 4h7v7H4zM4 15h5v5H4zM13 13h7v7h-7zM15 4h5v5h-5z" /></Icon>
);
export const ChatIcon = (props: Props) => <Icon {...props}><path d="M4 5h16v11H9l-5 4z" /></Icon>;
export const CubeIcon = (props: Props) => <Icon {...props}><path d="M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9" /></Icon>;
export const KeyIcon = (props: Props) => <Icon {...props}><path d="M12 12l8-8M17 7l3 3M12.5 16a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0z" /></Icon>;
export const GaugeIcon = (props: Props) => <Icon {...props}><path d="M4 17a8 8 0 1 1 16 0M12 17l4-6" /></Icon>;
export const SlidersIcon = (props: Props) => <Icon {...props}><path d="M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5" /></Icon>;
export const ChartIcon = (props: Props) => <Icon {...props}><path d="M4 20h16M7 16v-5M12 16V6M17 16v-8" /></Icon>;
export const TimerIcon = (props: Props) => <Icon {...props}><path d="M9 3h6M12 9v4l2.5 2M20 13a8 8 0 1 1-16 0 8 8 0 0 1 16 0z" /></Icon>;
export const TranslateIcon = (props: Props) => <Icon {...props}><path d="M4 6h9M8.5 4v2M11 6c-1 4-3.5 6.5-6.5 8M6 9c1 2.5 3 4 5 5M12 20l4-9 4 9M13.5 17h5" /></Icon>;
export const PauseIcon = (props: Props) => <Icon {...props}><path d="M9 6v12M15 6v12" /></Icon>;
export const PlayIcon = (props: Props) => <Icon {...props}><path d="M8 5.5v13l10.5-6.5z" /></Icon>;
export const PaperclipIcon = (props: Props) => <Icon {...props}><path d="M19 11l-7.5 7.5a4.5 4.5 0 0 1-6.4-6.4l8-8a3 3 0 0 1 4.3 4.3l-7.7 7.7a1.5 1.5 0 0 1-2.2-2.2L14 7.5" /></Icon>;
export const FileIcon = (props: Props) => <Icon {...props}><path d="M6 3h8l5 5v13H6zM14 3v5h5M9 13h6M9 17h6" /></Icon>;
export const CopyIcon = (props: Props) => (
  <Icon {...props}><rect x="9" y="9" width="11" height="11" rx="2" /><path d="M5 15V6a2 2 0 0 1 2-2h8" /></Icon>
);
export const StopIcon = ({ className = "size-4" }: Props) => (
  <svg viewBox="0 0 24 24" fill="currentColor" aria-hidden="true" className={className}>
    <rect x="6" y="6" width="12" height="12" rx="2.5" />
  </svg>
);
export const LogoIcon = ({ className = "size-7" }: Props) => (
  <svg viewBox="0 0 32 32" aria-hidden="true" className={className}>
    <rect width="32" height="32" rx="8" className="fill-accent" />
    <path d="M8 8.5h5l3 9.6 3-9.6h5L18 25h-4z" className="fill-on-accent" />
  </svg>
);
