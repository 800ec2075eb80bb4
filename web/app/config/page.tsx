import { ConfigPage } from "@/components/config/config-page";

export default ConfigPage;
