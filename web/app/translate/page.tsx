import { TranslatePage } from "@/components/translate/translate-page";

export default TranslatePage;
