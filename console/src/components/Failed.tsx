import { useTranslation } from "react-i18next";

/** Says what went wrong, and offers to try again. */
export function Failed({ error, again }: { error: Error; again: () => void }) {
  const { t } = useTranslation();
  return (
    <p role="alert" className="padded">
      {t("failed", { message: error.message })} <button onClick={again}>{t("again")}</button>
    </p>
  );
}
