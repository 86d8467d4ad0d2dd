/** Chart.js with the parts that figures use, for a canvas here and for a browser. */
import * as chart from "npm:chart.js@4.6.1";

chart.Chart.register(
  chart.BarController,
  chart.BarElement,
  chart.CategoryScale,
  chart.Filler,
  chart.Legend,
  chart.LinearScale,
  chart.LineController,
  chart.LineElement,
  chart.LogarithmicScale,
  chart.PointElement,
  chart.Title,
  chart.Tooltip,
);

/** The constructor of charts. */
export const Chart: typeof chart.Chart = chart.Chart;
