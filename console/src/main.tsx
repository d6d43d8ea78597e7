import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { App } from "./App";
import { CallError } from "./api/http";
import "./i18n";
import "./styles.css";

// What is refused stays refused; a gateway that is away is tried again.
const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: (times, error) => times < 2 && error instanceof CallError && error.status >= 500, staleTime: 5000 },
  },
});

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <BrowserRouter basename="/console">
        <App />
      </BrowserRouter>
    </QueryClientProvider>
  </StrictMode>,
);
