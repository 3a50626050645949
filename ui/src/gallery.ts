import { mount } from "svelte";

import Gallery from "./Gallery.svelte";
import { begin } from "./app.svelte";
import "./style/base.css";

mount(Gallery, { target: document.body });
void begin();
