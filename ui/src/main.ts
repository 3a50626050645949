import { mount } from "svelte";

import App from "./App.svelte";
import { begin } from "./app.svelte";
import { behaveAsWindow } from "./native";
import "./style/base.css";
import { applyTheme } from "./theme.svelte";

applyTheme();
behaveAsWindow();
mount(App, { target: document.body });
void begin();
