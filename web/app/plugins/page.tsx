import { PluginsPage } from "@/components/plugins/plugins-page";

export default PluginsPage;
