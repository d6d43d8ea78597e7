import { type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import type { Correction, Value } from "../../api/documents";
import { percent } from "../../i18n";

interface Props {
  value: Value;
  label: string;
  chosen: boolean;
  editing: boolean;
  busy: boolean;
  choose: (value: Value) => void;
  edit: (valueId: number | undefined) => void;
  act: (correction: Correction) => void;
}

/** A value with its normal form and confidence, and what can be said of it. */
export function ValueRow({ value, label, chosen, editing, busy, choose, edit, act }: Props) {
  const { t } = useTranslation();
  const { valueId } = value;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const said = new FormData(event.currentTarget);
    act({ replace: { valueId, text: String(said.get("text")), norm: String(said.get("norm")) } });
  };
  return (
    <li data-value={valueId} className={chosen ? "chosen" : undefined} aria-current={chosen || undefined}>
      <button className="field" onClick={() => choose(value)}>
        <span>{label}</span>
        {value.needsReview && <b className="warn">{t("documents.needsReview")}</b>}
        <span className="quiet">{percent(value.confidence)}</span>
      </button>
      {editing ? (
        <form onSubmit={submit} onKeyDown={(event) => event.key === "Escape" && edit(undefined)}>
          <label>
            {t("documents.norm")}
            <input name="norm" defaultValue={value.norm} autoFocus />
          </label>
          <label>
            {t("documents.text")}
            <input name="text" defaultValue={value.text} />
          </label>
          <button className="primary" disabled={busy}>
            {t("documents.save")}
          </button>
          <button type="button" onClick={() => edit(undefined)}>
            {t("documents.cancel")}
          </button>
        </form>
      ) : (
        <>
          <p className="norm">
            <bdi>{value.norm || value.text}</bdi>
          </p>
          {value.norm && value.text !== value.norm && (
            <p className="quiet">
              <bdi>{value.text}</bdi>
            </p>
          )}
          {chosen && (
            <p className="acts">
              <button disabled={busy} onClick={() => act({ confirm: { valueId } })}>
                {t("documents.confirm")}
              </button>
              <button disabled={busy} onClick={() => edit(valueId)}>
                {t("documents.edit")}
              </button>
              <button disabled={busy} onClick={() => act({ remove: { valueId } })}>
                {t("documents.remove")}
              </button>
            </p>
          )}
        </>
      )}
    </li>
  );
}
