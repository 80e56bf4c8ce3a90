import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { Pane } from "./pane.svelte.ts";

const pane = new Pane();
void pane.start(); // it asks the hub while the page is being made
mount(App, { target: document.body, props: { pane } });
