// Multinomial logistic regression on arrays: three clouds of points in the plane.
// Prints "clouds: 300 of 300 right".
import { Mlr } from '../src/index.ts';

const centres = { red: [0, 0], green: [8, 0], blue: [0, 8] };
const X: number[][] = [];
const y: string[] = [];
for (const [label, [a = 0, b = 0]] of Object.entries(centres)) {
  for (let i = 0; i < 100; i++) {
    X.push([a + 2 * Math.sin(i), b + 2 * Math.cos(i * i)]);
    y.push(label);
  }
}
const model = await new Mlr({ lambda: 1e-3 }).fit(X, y);
const labels = await model.predict(X);
const right = labels.filter((label, i) => label === y[i]).length;
console.log(`clouds: ${right} of ${X.length} right`);
