import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { session } from "../api/http";

const LOGIN = /^#login=(.+)$/;

/** Signs a person in: by the one-time login of a link, or by a credential. */
export function SignIn({ problem, onSignedIn }: { problem?: string; onSignedIn: () => void }) {
  const { t } = useTranslation();
  const [said, setSaid] = useState(problem);
  const [once, setOnce] = useState(LOGIN.test(location.hash));

  useEffect(() => {
    const login = LOGIN.exec(location.hash)?.[1];
    if (!login) return;
    // It is good once, so it must not stay in the address.
    history.replaceState(null, "", location.pathname);
    session.begin({ login }).then(onSignedIn, (error: Error) => {
      setOnce(false);
      setSaid(error.message);
    });
  }, [onSignedIn]);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const credential = String(new FormData(event.currentTarget).get("credential"));
    session.begin({ credential }).then(onSignedIn, (error: Error) => setSaid(error.message));
  };

  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <h1>{t("product")}</h1>
        {once ? (
          <p role="status">{t("signIn.once")}</p>
        ) : (
          <>
            <label>
              {t("signIn.credential")}
              <input name="credential" type="password" autoComplete="current-password" required autoFocus />
            </label>
            <button className="primary">{t("signIn.submit")}</button>
          </>
        )}
        {said && <p role="alert">{t("signIn.failed", { message: said })}</p>}
      </form>
    </main>
  );
}
