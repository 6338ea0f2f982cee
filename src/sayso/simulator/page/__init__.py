"""The pages in the browser: the phones, and the desk behind them."""
