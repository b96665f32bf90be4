-- Prefect's server keeps its own data apart from Syncline's.
CREATE DATABASE prefect;
