import { mount } from "svelte";

import { begin } from "./app.svelte";
import Consent from "./Consent.svelte";
import "./style/base.css";
import { applyTheme } from "./theme.svelte";

applyTheme();
mount(Consent, { target: document.body });
void begin();
