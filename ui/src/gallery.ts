import { mount } from "svelte";

import Gallery from "./Gallery.svelte";
import { begin } from "./app.svelte";
import "./style/base.css";
import { applyTheme } from "./theme.svelte";

applyTheme();
mount(Gallery, { target: document.body });
void begin();
