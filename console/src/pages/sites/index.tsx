import { Route, Routes } from "react-router";
import { List } from "./List";
import { Site } from "./Site";

export default function Sites() {
  return (
    <Routes>
      <Route index element={<List />} />
      <Route path=":projectId" element={<Site />} />
    </Routes>
  );
}
