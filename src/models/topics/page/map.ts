// The map's circles: areas as the topics' sizes, places as the plane has them, then moved apart
// until they hardly overlap. Thousandths of the map's width; the same input gives the same map.
import type { Point } from '../similarity.ts';
import { mapHeight } from './types.ts';

export type Circle = { readonly x: number; readonly y: number; readonly radius: number };

const mapWidth = 1000;
/** Share of the map that circles cover. */
const covered = 0.5;
const radiusMin = 7;
const margin = 4;
const rounds = 300;

type Moving = { x: number; y: number; readonly radius: number };

const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(high, value));

function inside(circle: Moving): void {
  circle.x = clamp(circle.x, circle.radius + margin, mapWidth - circle.radius - margin);
  circle.y = clamp(circle.y, circle.radius + margin, mapHeight - circle.radius - margin);
}

/** Moves two circles that overlap half as far apart as they would have to be. */
function part(a: Moving, b: Moving): void {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const distance = Math.hypot(dx, dy);
  const overlap = a.radius + b.radius + margin - distance;
  if (overlap <= 0) return;
  const [ux, uy] = distance > 0 ? [dx / distance, dy / distance] : [1, 0];
  // The larger stays more.
  const share = b.radius / (a.radius + b.radius);
  const step = 0.5 * overlap;
  a.x -= ux * step * share;
  a.y -= uy * step * share;
  b.x += ux * step * (1 - share);
  b.y += uy * step * (1 - share);
}

/** Circles for topics at `points` with shares of all words. */
export function circlesOf(points: readonly Point[], shares: readonly number[]): readonly Circle[] {
  const extent = (of: (point: Point) => number) => {
    const values = points.map(of);
    const low = Math.min(...values);
    return { low, size: Math.max(...values) - low || 1 };
  };
  const [xs, ys] = [extent(({ x }) => x), extent(({ y }) => y)];
  const circles: Moving[] = points.map(({ x, y }, k) => ({
    x: points.length === 1 ? mapWidth / 2 : (mapWidth * (x - xs.low)) / xs.size,
    y: points.length === 1 ? mapHeight / 2 : (mapHeight * (y - ys.low)) / ys.size,
    radius: Math.max(radiusMin, Math.sqrt((shares[k]! * covered * mapWidth * mapHeight) / Math.PI)),
  }));
  circles.forEach(inside);
  for (let round = 0; round < rounds; round++) {
    circles.forEach((a, i) => {
      for (const b of circles.slice(i + 1)) part(a, b);
    });
    circles.forEach(inside);
  }
  return circles;
}
