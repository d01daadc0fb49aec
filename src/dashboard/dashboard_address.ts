/** Where the page is served unless another place is named. */
export const DASHBOARD_ADDRESS = "127.0.0.1:8766";
