import { RuntimePage } from "@/components/runtime/runtime-page";

export default RuntimePage;
