import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Suspense } from "react";
import { useTranslation } from "react-i18next";
import { NavLink, Navigate, Route, Routes } from "react-router";
import { CallError, session } from "./api/http";
import { Loading } from "./components/Loading";
import { SignIn } from "./components/SignIn";
import { PAGES } from "./pages";

/** The frame of all pages, for whoever is signed in. */
export function App() {
  const { t, i18n } = useTranslation();
  const queries = useQueryClient();
  const who = useQuery({ queryKey: ["session"], queryFn: session.who, retry: false });
  if (who.isPending) return <Loading />;
  if (who.isError) {
    const signedOut = who.error instanceof CallError && who.error.status < 500;
    return <SignIn problem={signedOut ? undefined : who.error.message} onSignedIn={() => void who.refetch()} />;
  }
  const leave = async () => {
    await session.end();
    queries.clear();
    await who.refetch();
  };
  return (
    <>
      <a className="skip" href="#main">
        {t("skip")}
      </a>
      <header className="bar">
        <strong>{t("product")}</strong>
        <nav aria-label={t("product")}>
          {PAGES.map(({ path }) => (
            <NavLink key={path} to={`/${path}`}>
              {t(`nav.${path}`)}
            </NavLink>
          ))}
        </nav>
        <span className="quiet">{t("signedInAs", { channel: who.data.channel })}</span>
        <button onClick={() => void i18n.changeLanguage(i18n.language === "zh" ? "en" : "zh")}>{t("language")}</button>
        <button onClick={() => void leave()}>{t("signOut")}</button>
      </header>
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<Loading />}>
          <Routes>
            {PAGES.map(({ path, page: Page }) => (
              <Route key={path} path={`/${path}/*`} element={<Page />} />
            ))}
            <Route path="*" element={<Navigate to={`/${PAGES[0]!.path}`} replace />} />
          </Routes>
        </Suspense>
      </main>
    </>
  );
}
