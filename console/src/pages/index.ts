import { lazy } from "react";

/** The pages, in the order of the navigation. A new one is a folder beside this file and a line here. */
export const PAGES = [
  { path: "documents", page: lazy(() => import("./documents")) },
  { path: "sites", page: lazy(() => import("./sites")) },
] as const;
