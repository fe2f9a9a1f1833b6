declare const unit: unique symbol;

/** A number or text whose unit or kind is part of its type; only src/units casts to one. */
export type Branded<Base, Name extends string> = Base & { readonly [unit]: Name };
