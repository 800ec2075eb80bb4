import { Icon } from "../ui/icons";

type Props = { className?: string };

export const WrapIcon = (props: Props) => <Icon {...props}><path d="M4 6h16M4 12h13a3.5 3.5 0 0 1 0 7h-4M15 16l-3 3 3 3M4 18h4" /></Icon>;
export const ToolIcon = (props: Props) => <Icon {...props}><path d="M14.5 6.5a4 4 0 0 1 5-1l-2.7 2.7 1.5 1.5L21 7a4 4 0 0 1-5.5 4.9L8 19.5a2.1 2.1 0 0 1-3-3l7.5-7.5a4 4 0 0 1 2-2.5z" /></Icon>;
export const SwapIcon = (props: Props) => <Icon {...props}><path d="M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4" /></Icon>;
export const ColumnsIcon = (props: Props) => <Icon {...props}><path d="M4 5h16v14H4zM12 5v14" /></Icon>;
export const GoOnIcon = (props: Props) => <Icon {...props}><path d="M5 6l7 6-7 6zM13 6l7 6-7 6z" /></Icon>;
