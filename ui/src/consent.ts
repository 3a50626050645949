import { mount } from "svelte";

import { begin } from "./app.svelte";
import Consent from "./Consent.svelte";
import { behaveAsWindow } from "./native";
import "./style/base.css";

behaveAsWindow();
mount(Consent, { target: document.body });
void begin();
