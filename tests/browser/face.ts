// Compares the package's public face (`index.d.ts`) with the types generated from its source. The
// compiler refuses this file, and names what differs, when one has what the other has not.

import type * as face from "../../dist/npm-types/index.js";
import type * as searchFace from "../../dist/npm-types/search.js";
import type * as made from "../../dist/npm-types/src/index.js";
import type * as searchMade from "../../dist/npm-types/src/search/index.js";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** The names under which two types differ; `never` if there are none. */
type Drift<A, B> = {
  [K in keyof A | keyof B]: K extends keyof A & keyof B ? (Same<Pick<A, K>, Pick<B, K>> extends true ? never : K) : K;
}[keyof A | keyof B];

type None<T extends never> = T;

type MadeReplica = Awaited<ReturnType<typeof made.open>>;
type MadeSearch = Awaited<ReturnType<typeof searchMade.openSearch>>;

export type Checks = [
  // `open` is compared apart: the source gives its class, with private members.
  None<Drift<Omit<typeof face, "open" | "NacreError">, Omit<typeof made, "open" | "NacreError">>>,
  None<Drift<Parameters<typeof face.open>, Parameters<typeof made.open>>>,
  None<Drift<Awaited<ReturnType<typeof face.open>>, face.Replica>>,
  None<Drift<face.Replica, MadeReplica>>,
  None<Drift<face.NacreError, made.NacreError>>,
  None<Drift<Omit<typeof searchFace, "openSearch">, Omit<typeof searchMade, "openSearch">>>,
  None<Drift<Parameters<typeof searchFace.openSearch>, Parameters<typeof searchMade.openSearch>>>,
  None<Drift<searchFace.Search, MadeSearch>>,
  None<Drift<ConstructorParameters<typeof face.NacreError>, ConstructorParameters<typeof made.NacreError>>>,
];
