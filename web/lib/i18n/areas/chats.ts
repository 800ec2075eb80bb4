import { plural } from "../../plural";
import { area } from "../area";

export default area(
  {
    pin: "Pin to the top",
    unpin: "Unpin",
    export_markdown: "Download as Markdown",
    export_json: "Download as JSON",
    import_chat: "Open a file",
    import_hint: "Chats as JSON: downloaded here, exported by ChatGPT (conversations.json) or Open WebUI, or a list of messages as OpenAI's clients keep them",
    importing: (done: string, all: string) => `Taking in ${done} of ${all}`,
    import_stop: "Stop taking in",
    imported: (count: number) => (count === 1 ? "1 chat was taken in." : `${count} chats were taken in.`),
    import_known: (count: number) => (count === 1 ? "1 was here already." : `${count} were here already.`),
    import_refused: (count: number) => (count === 1 ? "1 was refused:" : `${count} were refused, the first because:`),
    import_failed: "The file was not taken in.",
    client_no_conversation: "There is no conversation in it that can be read.",
    client_no_conversation_fix: "Choose a JSON file that was downloaded here, `conversations.json` out of the archive that ChatGPT sends, an export of Open WebUI, or a list of messages.",
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
    import_hint: "Rozmowy w JSON: pobrane stąd, z ChatGPT (conversations.json), z Open WebUI albo lista wiadomości, jaką zapisują klienci OpenAI",
    importing: (done, all) => `Wczytywanie: ${done} z ${all}`,
    import_stop: "Przerwij wczytywanie",
    imported: (count) => plural("pl", count, { one: "Wczytano 1 rozmowę.", few: `Wczytano ${count} rozmowy.`, many: `Wczytano ${count} rozmów.`, other: `Wczytano ${count} rozmowy.` }),
    import_known: (count) => plural("pl", count, { one: "1 już tu była.", few: `${count} już tu były.`, many: `${count} już tu było.`, other: `${count} już tu było.` }),
    import_refused: (count) => plural("pl", count, { one: "1 odrzucono:", few: `${count} odrzucono, pierwszą z powodu:`, many: `${count} odrzucono, pierwszą z powodu:`, other: `${count} odrzucono, pierwszą z powodu:` }),
    import_failed: "Plik nie został przyjęty.",
    client_no_conversation: "Nie ma w nim rozmowy, którą można odczytać.",
    client_no_conversation_fix: "Wybierz plik JSON pobrany tutaj, `conversations.json` z archiwum, które przysyła ChatGPT, eksport z Open WebUI albo listę wiadomości.",
    search_failed: "Wyszukiwanie się nie powiodło.",
    none_found: (query) => `Nic nie pasuje do „${query}”.`,
    found: (count) => {
      const kind = new Intl.PluralRules("pl").select(count);
      return kind === "one" ? "Znaleziono 1 rozmowę" : kind === "few" ? `Znaleziono ${count} rozmowy` : `Znaleziono ${count} rozmów`;
    },
    more_found: "Jest ich więcej: dłuższy tekst znajdzie mniej.",
  },
);
