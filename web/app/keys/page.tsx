import { KeysPage } from "@/components/keys/keys-page";

export default KeysPage;
