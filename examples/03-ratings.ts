// Matrix factorization on arrays: ratings that follow a rank-2 pattern, one in five held back.
// Prints "ratings: test error 0.00 stars".
import { Mf } from '../src/index.ts';

const truth = (u: number, i: number) =>
  3 + Math.sin(u) * Math.cos(i) + Math.cos(2 * u) * Math.sin(i);
const known = { users: [] as number[], items: [] as number[], ratings: [] as number[] };
const held = { users: [] as number[], items: [] as number[], ratings: [] as number[] };
for (let u = 0; u < 400; u++) {
  for (let i = 0; i < 60; i++) {
    const set = (u * 7 + i * 13) % 5 === 0 ? held : known;
    set.users.push(u);
    set.items.push(i);
    set.ratings.push(truth(u, i));
  }
}
const model = await new Mf({ rank: 4, lambda: 1e-3, shrinkage: 0.1, passes: 60 }).fit(known);
const predicted = await model.predict(held);
const squares = predicted.reduce((sum, r, k) => sum + (r - (held.ratings[k] ?? 0)) ** 2, 0);
console.log(`ratings: test error ${Math.sqrt(squares / predicted.length).toFixed(2)} stars`);
