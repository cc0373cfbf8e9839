import "../css/app.css";
import "htmx.org";
import { startAges } from "./ages.ts";
import { startDay } from "./day.ts";
import { startDial } from "./dial.ts";
import { startLive } from "./live.ts";
import { startRefresh } from "./refresh.ts";
import { startRows } from "./rows.ts";
import { startStepper } from "./stepper.ts";
import { startTheme } from "./theme.ts";

startTheme();
startDay();
startDial();
startStepper();
startRows();
startAges();
startRefresh();
startLive();
