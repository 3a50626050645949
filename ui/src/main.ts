import { mount } from "svelte";

import App from "./App.svelte";
import { begin } from "./app.svelte";
import "./style/base.css";
import { applyTheme } from "./theme.svelte";

applyTheme();
mount(App, { target: document.body });
void begin();
