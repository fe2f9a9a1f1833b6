declare const unit: unique symbol;

/** A number or text whose unit or kind is part of its type. Only src/units casts to such a type. */
export type Branded<Base, Name extends string> = Base & { readonly [unit]: Name };
