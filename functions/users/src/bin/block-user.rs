fn main() -> std::process::ExitCode {
    users::block_user::main()
}
