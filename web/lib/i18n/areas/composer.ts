import { area } from "../area";

const files = (count: number) => (count === 1 ? "1 file" : `${count} files`);
const pliki = (count: number) => {
  const form = new Intl.PluralRules("pl").select(count);
  return `${count} ${form === "one" ? "plik" : form === "few" ? "pliki" : "plików"}`;
};

export default area(
  {
    attach: "Add images or text files",
    attached: "Added to the question",
    remove: (name: string) => `Remove ${name}`,
    image: (name: string) => `Image: ${name}`,
    reading: "Reading the files",
    added: (count: number) => `Added: ${files(count)}.`,
    removed: (name: string) => `Removed: ${name}.`,
    drop_here: "Drop them here to add them to the question",
    dismiss: "Got it",

    refused_too_many: (name: string) => `${name} was left out: a question takes 8 files at most.`,
    refused_too_large: (name: string) => `${name} was left out: a text file may have 512 KB at most.`,
    refused_image_unreadable: (name: string) => `${name} is no picture that this browser can read. PNG, JPEG, WebP and GIF can be.`,
    refused_image_too_large: (name: string) => `${name} is too large, even made smaller.`,
    refused_not_text: (name: string) => `${name} is no text. Images and text files can be added; copy the words out of a PDF or a document first.`,
    refused_empty: (name: string) => `${name} is empty.`,
    refused_no_vision: (name: string) => `${name} was left out: the chosen model does not see images.`,
    no_vision: (model: string) => `${model} does not see images.`,
    no_vision_none: "None of your models does. Get one that does, such as a Gemma 3 from 4B on.",
    use_model: (model: string) => `Use ${model}`,
    remove_images: "Remove the images",
    words_needed: "Write what you want to know about it.",

    context: "Context used",
    context_of: (used: string, room: string) => `about ${used} of ${room} tokens`,
    context_exact: (used: string, room: string) => `${used} of ${room} tokens`,
    context_unknown: (used: string) => `about ${used} tokens`,
    context_title: "What the model has to keep in mind for the next answer. Counted for what was answered, estimated for what you write now.",
    context_near: "The model's context is almost full.",
    context_over: "This probably does not fit into the model's context any more.",
    context_fix: "Shorten it, or go on in a new chat.",
    to_new_chat: "Take this question to a new chat",
    place_local: "answered on this machine",
    place_remote: (host: string) => `goes to ${host}`,
  },
  {
    attach: "Dodaj obrazy albo pliki tekstowe",
    attached: "Dodane do pytania",
    remove: (name) => `Usuń ${name}`,
    image: (name) => `Obraz: ${name}`,
    reading: "Czytanie plików",
    added: (count) => `Dodano: ${pliki(count)}.`,
    removed: (name) => `Usunięto: ${name}.`,
    drop_here: "Upuść tutaj, żeby dodać do pytania",
    dismiss: "Rozumiem",

    refused_too_many: (name) => `${name} pominięto: pytanie przyjmuje najwyżej 8 plików.`,
    refused_too_large: (name) => `${name} pominięto: plik tekstowy może mieć najwyżej 512 KB.`,
    refused_image_unreadable: (name) => `${name} to nie obraz, który ta przeglądarka umie odczytać. Umie PNG, JPEG, WebP i GIF.`,
    refused_image_too_large: (name) => `${name} jest za duży, nawet zmniejszony.`,
    refused_not_text: (name) => `${name} to nie tekst. Można dodać obrazy i pliki tekstowe; z PDF-a lub dokumentu najpierw skopiuj słowa.`,
    refused_empty: (name) => `${name} jest pusty.`,
    refused_no_vision: (name) => `${name} pominięto: wybrany model nie widzi obrazów.`,
    no_vision: (model) => `${model} nie widzi obrazów.`,
    no_vision_none: "Żaden z Twoich modeli ich nie widzi. Pobierz taki, który widzi, na przykład Gemmę 3 od 4B wzwyż.",
    use_model: (model) => `Użyj ${model}`,
    remove_images: "Usuń obrazy",
    words_needed: "Napisz, czego chcesz się o tym dowiedzieć.",

    context: "Zajęty kontekst",
    context_of: (used, room) => `około ${used} z ${room} tokenów`,
    context_exact: (used, room) => `${used} z ${room} tokenów`,
    context_unknown: (used) => `około ${used} tokenów`,
    context_title: "Co model musi mieć w pamięci przy następnej odpowiedzi. Policzone dla tego, na co odpowiedział, oszacowane dla tego, co teraz piszesz.",
    context_near: "Kontekst modelu jest prawie pełny.",
    context_over: "To prawdopodobnie nie mieści się już w kontekście modelu.",
    context_fix: "Skróć pytanie albo przejdź do nowej rozmowy.",
    to_new_chat: "Przenieś to pytanie do nowej rozmowy",
    place_local: "odpowiedź powstaje na tym komputerze",
    place_remote: (host) => `trafia do ${host}`,
  },
);
