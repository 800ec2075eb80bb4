import { UsagePage } from "@/components/usage/usage-page";

export default UsagePage;
