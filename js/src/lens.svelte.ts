/** Through what the user looks at outputs: the sizing for all of them, and where each was zoomed to. */
import { HOME, type Camera, type Extent, type Policy, type Sizing } from "./camera.ts";

const MOST = 200;
const POLICIES: readonly Policy[] = ["fill", "made", "custom"];

export class Lens {
  #policy = $state<Policy>("fill");
  #custom = $state.raw<Extent>({ width: 800, height: 600 });
  #cameras = $state.raw<ReadonlyMap<number, Camera>>(new Map());
  /** Whether all outputs are looked at alike, as in a comparison. */
  linked = $state(false);

  constructor() {
    const kept = localStorage.getItem("ipyweb.sizing") as Policy | null;
    if (kept && POLICIES.includes(kept)) this.#policy = kept;
    const [width, height] = (localStorage.getItem("ipyweb.custom") ?? "").split("x").map(Number);
    if (width! > 0 && height! > 0) this.#custom = { width: width!, height: height! };
  }

  get sizing(): Sizing {
    return { policy: this.#policy, custom: this.#custom };
  }

  /** Lay everything out in another way; what was zoomed is at home again. */
  set policy(policy: Policy) {
    this.#policy = policy;
    this.#cameras = new Map();
    localStorage.setItem("ipyweb.sizing", policy);
  }

  set custom(custom: Extent) {
    this.#custom = custom;
    localStorage.setItem("ipyweb.custom", `${custom.width}x${custom.height}`);
    this.policy = "custom";
  }

  camera(output: number): Camera {
    return this.#cameras.get(this.linked ? 0 : output) ?? HOME;
  }

  look(output: number, camera: Camera): void {
    const key = this.linked ? 0 : output;
    const cameras = new Map(this.#cameras);
    cameras.delete(key);
    if (camera.zoom !== 1 || camera.x !== 0 || camera.y !== 0) cameras.set(key, camera);
    for (const old of [...cameras.keys()].slice(0, Math.max(0, cameras.size - MOST))) cameras.delete(old);
    this.#cameras = cameras;
  }
}
