import { expect, it } from "vitest";
import type { Api } from "./api.ts";
import { Outputs } from "./outputs.svelte.ts";
import type { OutputRecord } from "./protocol.ts";
import { Runs } from "./runs.ts";

it("knows the outputs of both runs once it knows what changed, but for those that are gone", async () => {
  const record = (id: number, event = id) => ({ id, event, removed: null, project: "/p" }) as OutputRecord;
  const outputs = new Outputs();
  outputs.apply([record(3, 30)]);
  const changes = { outputs: [record(3), record(4)], stacks: [{ before: 1, after: 3 }, { before: 2, after: 4 }] };
  const output = async (id: number) => (id === 2 ? Promise.reject(new Error("gone")) : record(id));
  await new Runs({ changes: async () => changes, output } as unknown as Api, outputs).changes("run", null);
  expect([outputs.order, outputs.get(3)!.event]).toEqual([[1, 3, 4], 30]);
});
