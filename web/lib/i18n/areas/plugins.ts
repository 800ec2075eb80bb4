import { area } from "../area";

export default area(
  {
    title: "Plugins",
    text: "Every installed plugin, and what became of it at the last start.",
    none: "No plugin is installed.",
    first_party: "part of Venom",
    third_party: "third party",
    api: (api: string) => `API ${api}`,
    load: (time: string) => `loaded in ${time}`,
  },
  {
    title: "Wtyczki",
    text: "Wszystkie zainstalowane wtyczki i to, co się z nimi stało przy ostatnim starcie.",
    none: "Nie zainstalowano żadnej wtyczki.",
    first_party: "część Venoma",
    third_party: "obca",
    api: (api) => `interfejs ${api}`,
    load: (time) => `wczytana w ${time}`,
  },
);
