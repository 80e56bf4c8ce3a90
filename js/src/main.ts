import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { Pane } from "./pane.svelte.ts";

const pane = new Pane();
mount(App, { target: document.body, props: { pane } });
void pane.start();
