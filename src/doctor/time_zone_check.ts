import { isTimeZone } from "../schema/time_zone.ts";
import { type Check, ok, problem } from "./check.ts";

export const timeZoneCheck: Check = {
  name: "time-zone",
  look({ timeZone }) {
    return Promise.resolve(
      isTimeZone(timeZone) ? ok(`${timeZone} is known`) : problem(
        `${timeZone} is no time zone that is known here`,
        "use a name of the IANA database, as in --timezone Europe/Berlin, or UTC",
      ),
    );
  },
};
