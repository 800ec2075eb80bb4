import { area } from "../area";

export default area(
  {
    pin: "Pin to the top",
    unpin: "Unpin",
    export_markdown: "Download as Markdown",
    export_json: "Download as JSON",
    import_chat: "Open a file",
    import_hint: "A download of Venom as JSON, or a list of messages as OpenAI's clients keep them",
    import_failed: "The file was not taken in.",
    client_no_conversation: "There is no conversation in it that can be read.",
    client_no_conversation_fix: "Choose a JSON file that was downloaded here, or one with a list of messages.",
    search_failed: "The search failed.",
    none_found: (query: string) => `Nothing is found for “${query}”.`,
    found: (count: number) => (count === 1 ? "1 chat found" : `${count} chats found`),
    more_found: "There are more: a longer text finds fewer.",
  },
  {
    pin: "Przypnij na górze",
    unpin: "Odepnij",
    export_markdown: "Pobierz jako Markdown",
    export_json: "Pobierz jako JSON",
    import_chat: "Otwórz plik",
    import_hint: "Plik JSON pobrany z Venoma albo lista wiadomości, jaką zapisują klienci OpenAI",
    import_failed: "Plik nie został przyjęty.",
    client_no_conversation: "Nie ma w nim rozmowy, którą można odczytać.",
    client_no_conversation_fix: "Wybierz plik JSON pobrany tutaj albo taki, który ma listę wiadomości.",
    search_failed: "Wyszukiwanie się nie powiodło.",
    none_found: (query) => `Nic nie pasuje do „${query}”.`,
    found: (count) => {
      const kind = new Intl.PluralRules("pl").select(count);
      return kind === "one" ? "Znaleziono 1 rozmowę" : kind === "few" ? `Znaleziono ${count} rozmowy` : `Znaleziono ${count} rozmów`;
    },
    more_found: "Jest ich więcej: dłuższy tekst znajdzie mniej.",
  },
);
