/** `extend` as Backbone has it, for classes: widgets written for ipywidgets 7 make their models and views by it. */

type Class = new (...args: never[]) => object;

/** A class below this one. @param own what its objects have; @param statics what it has itself */
export function extend<Parent extends Class>(this: Parent, own: object = {}, statics: object = {}): Parent {
  const Child = class extends (this as Class) {} as Parent;
  Object.assign(Child.prototype, own);
  return Object.assign(Child, statics, { __super__: this.prototype as unknown });
}
