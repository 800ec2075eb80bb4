import { ModelsPage } from "@/components/models/models-page";

export default ModelsPage;
