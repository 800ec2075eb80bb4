import { area } from "../area";

export default area(
  {
    as_table: "As a table",
    as_table_of: (title: string) => `${title}: as a table`,
    time: "Time",
    unknown: "–",
    nothing_yet: "Nothing was measured yet.",
  },
  {
    as_table: "Jako tabela",
    as_table_of: (title) => `${title}: jako tabela`,
    time: "Czas",
    unknown: "–",
    nothing_yet: "Niczego jeszcze nie zmierzono.",
  },
  ["unknown"],
);
