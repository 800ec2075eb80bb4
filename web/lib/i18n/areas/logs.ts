import { area } from "../area";

export default area(
  {
    none: "Nothing is in the log yet.",
    log_of: (name: string) => `Log of ${name}`,
    written: (moment: string) => `last written ${moment}`,
  },
  {
    none: "W dzienniku niczego jeszcze nie ma.",
    log_of: (name) => `Dziennik: ${name}`,
    written: (moment) => `ostatni zapis: ${moment}`,
  },
);
