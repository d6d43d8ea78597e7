import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { en } from "./en";
import { zh } from "./zh";

const KEPT = "bankai-language";

void i18next.use(initReactI18next).init({
  lng: localStorage.getItem(KEPT) ?? (navigator.language.startsWith("en") ? "en" : "zh"),
  fallbackLng: "zh",
  resources: { zh: { translation: zh }, en: { translation: en } },
  interpolation: { escapeValue: false }, // React escapes
});
i18next.on("languageChanged", (language) => {
  localStorage.setItem(KEPT, language);
  document.documentElement.lang = language;
});
document.documentElement.lang = i18next.language;

/** The last part of an enum's value: "DOCUMENT_KIND_OTHER" becomes "OTHER". */
export const short = (value: string | undefined, prefix: string) => value?.replace(`${prefix}_`, "") ?? "UNSPECIFIED";

export const day = (time: string | undefined) =>
  time ? new Date(time).toLocaleDateString(i18next.language, { year: "numeric", month: "2-digit", day: "2-digit" }) : "—";

export const moment = (time: string | undefined) =>
  time ? new Date(time).toLocaleString(i18next.language, { dateStyle: "short", timeStyle: "short" }) : "—";

export const percent = (share: number | undefined) =>
  new Intl.NumberFormat(i18next.language, { style: "percent", maximumFractionDigits: 0 }).format(share ?? 0);

export default i18next;
