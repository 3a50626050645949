import { mount } from "svelte";

import App from "./App.svelte";
import { begin } from "./app.svelte";
import { behaveAsWindow } from "./native";
import "./style/base.css";

behaveAsWindow();
mount(App, { target: document.body });
void begin();
