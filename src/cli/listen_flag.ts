import type { Flag } from "./command.ts";

export const listenFlag: Flag = {
  name: "listen",
  kind: "text",
  placeholder: "ADDRESS",
  summary: "serve /metrics, /livez, /readyz and /status over HTTP, as in 127.0.0.1:9464; " +
    ":9464 is of this machine only",
  defaultText: "nothing is served",
};
