import "../css/app.css";
import { startTheme } from "./theme.ts";

startTheme();
