import { area } from "../area";

export default area(
  {
    load: "Load the model again",
    free_memory: "Free memory: unload all models",
    choose_model: "Choose another model",
    get_model: "Get a model",
    enter_key: "Enter a key",
    new_chat: "Ask it in a new chat",
    leave_out: "Ask without it",
    leave_out_form: "Ask for plain text",
    leave_out_tools: "Ask without tools",
    open_settings: "Settings of this chat",
    see_plugins: "See the plugins",
    see_runtime: "See the runtime",
    working: "Working on it",
  },
  {
    load: "Wczytaj model jeszcze raz",
    free_memory: "Zwolnij pamięć: wyładuj wszystkie modele",
    choose_model: "Wybierz inny model",
    get_model: "Pobierz model",
    enter_key: "Podaj klucz",
    new_chat: "Zapytaj o to w nowej rozmowie",
    leave_out: "Zapytaj bez tego",
    leave_out_form: "Poproś o zwykły tekst",
    leave_out_tools: "Zapytaj bez narzędzi",
    open_settings: "Ustawienia tej rozmowy",
    see_plugins: "Zobacz wtyczki",
    see_runtime: "Zobacz środowisko",
    working: "W toku",
  },
);
