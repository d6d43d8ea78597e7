import { Route, Routes } from "react-router";
import { Document } from "./Document";
import { Queue } from "./Queue";

export default function Documents() {
  return (
    <Routes>
      <Route index element={<Queue />} />
      <Route path=":resultId" element={<Document />} />
    </Routes>
  );
}
