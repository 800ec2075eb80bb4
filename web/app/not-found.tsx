import { Missing } from "@/components/shell/missing";

// Next's own page has inline styles, which the content security policy forbids.
export default function NotFound() {
  return <Missing />;
}
