# src/main
