import { expect, it } from "vitest";
import { extend } from "./extend.ts";

class View {
  static extend = extend;
  said: string[] = [];
  constructor(...words: string[]) {
    this.said.push(...words);
  }
  render(): this {
    this.said.push("drawn");
    return this;
  }
}

it("makes classes that are made as their parents are, and find those", () => {
  const Child = View.extend({
    render(this: View) {
      this.said.push("child");
      return View.prototype.render.call(this);
    },
  });
  const Grandchild = Child.extend({}, { version: 2 }) as typeof Child & { version: number; __super__: View };
  const made = new Grandchild("new");
  expect(made).toBeInstanceOf(View);
  expect(made.render().said).toEqual(["new", "child", "drawn"]);
  expect([Grandchild.version, Grandchild.__super__]).toEqual([2, Child.prototype]);
});
